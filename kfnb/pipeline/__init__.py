"""Pipelines: components wired by name, written as a program, compiled as KFP compiles."""
