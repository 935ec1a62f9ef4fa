"""`michelangelo:metadataStorage`: the mirror of the platform's objects in MySQL, from release 0.12 on."""

from __future__ import annotations

from pydantic import Field

from madeploy.settings.base import DnsSubdomain, Name, Section


class MetadataStorage(Section):
    """A MySQL database that mirrors every object, for lists and for runs older than the cluster keeps.

    Off unless this section is there, and better left off: nothing but history needs it. It cannot be turned
    off again without a clean-up, because every object then has a finalizer that nobody removes; its schema
    has no migrations; and its first write to a `Cluster` freezes that cluster's health until the controller
    manager is rolled (`controlPlane.controllermgr.credentialsRevision`, or `clusters rotate`).
    """

    host: Name = Field(examples=["mysql.example.com"])
    """Host of MySQL 8; Postgres is not possible. The services connect without TLS, and stop at start-up when
    it does not answer."""

    port: int = Field(default=3306, ge=1, le=65535)
    """Port. Default 3306."""

    user: Name = Field(default="michelangelo")
    """User. Default `michelangelo`."""

    database: Name = Field(default="michelangelo")
    """Database with the tables of exactly the deployed version, made beforehand: the services make none."""

    credentials_secret: DnsSubdomain
    """Existing Secret in the control plane's namespace with key `secrets.yaml`, holding `mysql.password`. The
    password may hold nothing that a connection string gives a meaning: @ : / ? #."""

    run_days: int = Field(default=0, ge=0, le=3650)
    """Days after which finished runs leave Kubernetes and are kept in the database only. Default 0: never."""
