"""How fast the library is: synth, growth, import, the Lambda bundles and the rehearsal, beside the usual ways."""
