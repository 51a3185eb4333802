import linear
import parallel

print(parallel.total(1000), linear.dot().strip())
