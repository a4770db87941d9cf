"""An operator that gives each Shop a Bucket, and notes in the Shop's status which one it is."""

from kubelemma.extending import Cluster, Object, Writes, controller, create, patch_status


@controller(reconciles="Shop", reads=["Bucket"])
def shop_operator(shop: Object, _cluster: Cluster) -> Writes:
    """Give the shop a bucket, unless it has one."""
    if "bucket" not in shop.status:
        bucket = yield create("Bucket", generate_name=f"{shop.name}-", owner=shop, spec=shop.spec)
        yield patch_status(shop, {"bucket": bucket.name})
