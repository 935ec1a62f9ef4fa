"""Controllers that an embedded cluster lacks, played by one small process per cluster.
 No traffic flows and no certificate authority is asked. The process only writes what the real controllers
would have written once everything is well, so that tools which wait for it go on:

- ingress controller and cloud load balancer: an address in the status of Ingresses of class `nginx` and of
Services of
  type LoadBalancer. The address, 192.0.2.1, is one kept for documentation (RFC 5737): nothing answers there.
- cert-manager: Ready on issuers and Certificates, and the Secret of each Certificate, also of those that
annotated
  Ingresses and Gateways ask for; signed by an authority of the sandbox whatever the issuer says.
- Gateway API: Accepted on the GatewayClass `sandbox`, Accepted and Programmed on its Gateways, Accepted on
the routes
  attached to them.

- the platform's controller manager: the health of registered `Cluster` objects, asked of the compute clusters
  with the registered credentials for as long as one of its pods is ready, and their finalizer.

- the kubelet, for the pods of `verify --pods` alone: their program runs as a process of this machine.

An object that names a class or an issuer which is not there waits, as it would on a real cluster.
"""
