"""Open pages of a post: told of new comments, and of nothing else."""

from typing import Any

from channels.generic.websocket import AsyncJsonWebsocketConsumer


def group_name(post_id: int) -> str:
    return f"post-{post_id}"


class PostConsumer(AsyncJsonWebsocketConsumer):
    """Sends `{"floor": n}` for each comment added; what a client sends is not listened to.

    No more than the number: an address would tell the title of a post that not everybody may read.
    """

    async def connect(self) -> None:
        self.group = group_name(int(self.scope["url_route"]["kwargs"]["pk"]))
        await self.channel_layer.group_add(self.group, self.channel_name)
        await self.accept()

    async def disconnect(self, code: int) -> None:
        await self.channel_layer.group_discard(self.group, self.channel_name)

    async def receive(self, text_data: str | None = None, bytes_data: bytes | None = None, **kwargs: Any) -> None:
        """Garbage in is garbage dropped."""

    async def comment_added(self, event: dict[str, Any]) -> None:
        await self.send_json({"floor": event["floor"]})
