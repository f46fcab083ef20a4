"""`vigil score`: the scorers, run over a hospital's own table, so that it can check them before it trusts them."""
