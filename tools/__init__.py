"""What contributors run: setting up, testing, and building the lessons."""
