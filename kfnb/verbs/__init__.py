"""What the command ``kfnb`` does at each of its verbs: read the words, call a public function, print."""
