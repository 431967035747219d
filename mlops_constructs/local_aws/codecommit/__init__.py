"""CodeCommit: repositories, branches and commits."""
