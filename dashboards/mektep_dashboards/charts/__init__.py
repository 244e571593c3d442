"""Charts as SVG, made on the server by pure functions. Looks are classes of the style sheet; no inline style."""
