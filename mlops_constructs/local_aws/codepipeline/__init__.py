"""CodePipeline: executes the definitions of pipelines with the services of the local AWS."""
