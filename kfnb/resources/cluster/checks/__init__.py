"""What is checked beside what there is: the way to the server, the clients, this machine."""
