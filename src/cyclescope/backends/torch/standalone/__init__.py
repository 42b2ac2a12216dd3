"""What makes a plan real on PyTorch, in files that import nothing but PyTorch: a recipe's code is made of them, so that
what a user runs is what was measured.
"""
