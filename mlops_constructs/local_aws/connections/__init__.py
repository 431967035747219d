"""CodeConnections: connections to Git hosts, and the repositories that they give access to."""
