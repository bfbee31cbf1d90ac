"""What every board and every panel of ours has: variables, links, annotations, words, colours."""
