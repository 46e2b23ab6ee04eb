"""Ask a served model for the quality of one wine: `python query_server.py [address]`.

Start one with `mlflow models serve -m mlruns/0/<run id>/artifacts/<model> -p 5001`.
"""

import json
import sys
import urllib.request

from wine import SAMPLE


def ask(address):
    """Send the sample wine and return the decoded answer."""
    body = {"columns": list(SAMPLE.keys()), "instances": [list(SAMPLE.values())]}
    request = urllib.request.Request(
        f"{address}/invocations",
        data=json.dumps(body).encode(),
        headers={"Content-Type": "application/json"},
    )
    with urllib.request.urlopen(request, timeout=30) as answer:
        return json.load(answer)


if __name__ == "__main__":
    print(ask(sys.argv[1] if len(sys.argv) > 1 else "http://localhost:5001"))
