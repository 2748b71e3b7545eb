"""Tests of kfnb ui."""
