"""What the operator promises, however it is written."""

from kubelemma.extending import Cluster, Object, always, converges


@always(
    "SHOP-1",
    "A shop has one bucket",
    about="Shop",
    reads=["Bucket"],
    why="Every bucket is paid for, and what was stored in the first is not found in the second.",
    repair="Give the bucket a name that says whose it is, or look for it before creating one.",
)
def one_bucket(shop: Object, cluster: Cluster) -> bool:
    """No Shop ever owns two Buckets."""
    return len(cluster.owned_by(shop, "Bucket")) <= 1


@converges(
    "SHOP-2",
    "A shop gets its bucket",
    about="Shop",
    reads=["Bucket"],
    severity="critical",
    why="A shop without a bucket cannot open.",
    repair="See what the operator waits for, or who undoes its work.",
)
def gets_bucket(shop: Object, cluster: Cluster) -> bool:
    """Once nobody interferes, the status of a Shop comes to name a Bucket that exists."""
    return cluster.get("Bucket", shop.status.get("bucket", "")) is not None
