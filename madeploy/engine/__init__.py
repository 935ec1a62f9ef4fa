"""The real Pulumi CLI, driven for a person who watches: progress, errors by resource, logs, and the mending
of what a killed engine leaves. It knows no settings and nothing of what is deployed."""
