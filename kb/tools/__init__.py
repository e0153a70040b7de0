"""What agents are given: tools and resources over MCP. The one door to its SDK."""
