"""The way out: intake → dispatcher → gate → sender, and recovery of what a crash left."""
