"""Taking back: select which operations, plan what each file becomes, apply it. Only `apply` touches the disk."""
