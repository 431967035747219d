"""CodePipeline: executes the definitions of pipelines with what the local AWS has."""
