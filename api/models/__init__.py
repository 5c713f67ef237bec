"""The shapes of the interface: what comes in as strict pydantic models, what goes out as dictionaries.

Incoming models know no state and no rule; outgoing functions are plain because what the services return is typed
already and the accept path pays for every check that is made twice.
"""
