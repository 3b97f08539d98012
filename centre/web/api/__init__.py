"""The routes of REST, a module a resource. What they do is decided elsewhere: here are paths, parameters and models."""
