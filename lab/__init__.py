"""Stand-ins of every outside system: real servers on real sockets. Imports none of the other rooms."""
