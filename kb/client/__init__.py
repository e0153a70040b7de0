"""A knowledge base that a server somewhere reads, with the verbs of one that is opened here. The one door to httpx."""
