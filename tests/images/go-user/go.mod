module example.org/user

go 1.19
