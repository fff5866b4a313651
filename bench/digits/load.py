"""Writes scikit-learn's copy of the UCI digits to stdout: one line a digit, its label and 64 pixels of 0 to 16."""
from sklearn.datasets import load_digits

digits = load_digits()
for label, pixels in zip(digits.target, digits.data.astype(int)):
    print(label, *pixels)
