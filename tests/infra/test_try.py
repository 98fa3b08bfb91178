def test_x(dev, prod):
    for r in dev.resources: print(r.type, r.name, r.protect, sorted(r.secrets), sorted(r.dependencies))
    print(dev.outputs); print(len(prod.resources))
    print(dev.one("BucketPolicy","audit").inputs); print(dev.one("Key","logs").inputs)
