"""The operator repaired: the bucket's name says whose it is, so there can be no second one."""

from kubelemma.extending import Cluster, Object, Writes, controller, create, patch_status


@controller(reconciles="Shop", reads=["Bucket"])
def shop_operator(shop: Object, cluster: Cluster) -> Writes:
    """Give the shop a bucket of its name, unless there is one."""
    name = f"{shop.name}-data"
    if cluster.get("Bucket", name) is None:
        yield create("Bucket", name, owner=shop, spec=shop.spec)
    if shop.status.get("bucket") != name:
        yield patch_status(shop, {"bucket": name})
