"""Messages to many over time: audiences, variants, links, conversions, what came of them."""
