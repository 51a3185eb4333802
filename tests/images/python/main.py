"""Answers with numbers that a DataFrame computes, and with a time in a zone."""

import pandas
from fastapi import FastAPI
from fastapi.responses import PlainTextResponse

app = FastAPI()


@app.get("/")
def totals() -> dict[str, int]:
    frame = pandas.DataFrame({"city": ["Rome", "Oslo", "Rome"], "visits": [3, 5, 4]})
    return {city: int(sum_) for city, sum_ in frame.groupby("city")["visits"].sum().items()}


@app.get("/berlin", response_class=PlainTextResponse)
def berlin() -> str:
    return pandas.Timestamp("2024-07-01T12:00:00Z").tz_convert("Europe/Berlin").isoformat()
