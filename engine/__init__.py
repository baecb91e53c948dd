"""The order layer: levels, states, catalogue, decomposition, plan, store, lanes. Imports none of the other rooms."""
