"""The command `madeploy`: one module for each verb."""
