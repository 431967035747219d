"""How fast the library is: synth, growth, import, Lambda bundles and rehearsal, compared with plain CDKTF programs."""
