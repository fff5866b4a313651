"""Writes scikit-learn's copy of the UCI digits to stdout: one line a digit, its label and 64 pixels of 0 to 16."""
import sys

try:
    from sklearn.datasets import load_digits
except ImportError:
    print("lacks scikit-learn: on Debian, apt-get install python3-sklearn", file=sys.stderr)
    sys.exit(3)

digits = load_digits()
for label, pixels in zip(digits.target, digits.data.astype(int)):
    print(label, *pixels)
