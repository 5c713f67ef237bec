"""What looks after modems and their SIMs from time to time: self-tests, balances, reports that stay away."""
