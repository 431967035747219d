"""CodeConnections: connections, and the repositories behind them."""
