"""One module per kind of step: how a batch of them is carried out."""
