"""What `infer_signature` makes of a small frame of houses."""

import pandas as pd
from sklearn.linear_model import LinearRegression

from mlflow.models.signature import infer_signature

houses = pd.DataFrame(
    {
        "bedrooms": [2, 3, 3, 4, 4],
        "square_feet": [1500, 1600, 1700, 1800, 1900],
        "price": [200000, 220000, 240000, 280000, 300000],
    }
)

if __name__ == "__main__":
    features = houses[["bedrooms", "square_feet"]]
    model = LinearRegression().fit(features, houses["price"])
    print(infer_signature(features, model.predict(features)))
