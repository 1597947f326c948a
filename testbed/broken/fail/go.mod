module kubectl-scratch.test/testbed/broken/fail

go 1.24
