// Answers with a sum that a native SQLite module computes.
const express = require("express");
const Database = require("better-sqlite3");

const database = new Database(":memory:");
database.exec("create table visits (city text, number integer)");
const insert = database.prepare("insert into visits values (?, ?)");
for (const row of [["Rome", 3], ["Oslo", 5], ["Rome", 4]]) insert.run(...row);

const app = express();
app.get("/", (request, response) => {
  response.json(database.prepare("select city, sum(number) as visits from visits group by city order by city").all());
});
app.listen(8080);
