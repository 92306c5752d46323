"""The web app: lays out and wires what `skeletr` computes."""
