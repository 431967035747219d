"""CodeBuild: projects, and builds that run their buildspec."""
