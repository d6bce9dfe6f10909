"""What schools return to their authority: a yearly answer to each point that the law and guidance ask of them."""
