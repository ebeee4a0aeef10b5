"""Parts of the documentation that are made from the code: references and pictures."""
