module scratchtestbed/app

go 1.24
