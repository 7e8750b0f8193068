"""What prompts can say: objects, styles, colours, and the words that name them."""
