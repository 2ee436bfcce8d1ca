"""Content, trees and checkpoints as git objects in a private bare repository: the only package that uses pygit2."""
