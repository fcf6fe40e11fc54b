"""What is true of Vitrine, whoever stores or shows it. Standard library only."""
