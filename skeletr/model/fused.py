"""The network for inference: made of the plain, readable one and its weights, but faster.

The plain form stays the one to read, to train and to export. What is here gives the same numbers
to 1e-5, or in bfloat16 nearly the same ones; how much faster it is, is in docs/PERFORMANCE.md.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from skeletr.batch import SequenceBatch
from skeletr.model.backbone import Backbone
from skeletr.model.fused_stgcnpp import Affine, FusedSTGCNPPBlock, Workspace
from skeletr.model.fused_threads import in_shares
from skeletr.model.fused_transformer import FusedTransformer
from skeletr.model.mix_pooling import MixPooling
from skeletr.model.skeletr import SkeleTR, SkeleTROutput
from skeletr.skeleton import C, V

_TOGETHER = 960  # frames of sequences that go through the backbone at a time; bounds the memory
_SHARE = 240  # frames that a thread takes at least, where several share them
_FEW = 128  # frames; in bfloat16 a product takes longer to begin, so fewer are slower in it


class FusedStage1(nn.Module):
    """`Backbone` of ST-GCN++ blocks and `MixPooling`. It may be used by several threads."""

    def __init__(
        self, backbone: Backbone, pooling: MixPooling, dtype: torch.dtype = torch.float32
    ) -> None:
        """dtype: float32 or bfloat16, of all that is worked out; tokens are float32."""
        super().__init__()
        self.dtype = dtype
        norm = Affine.of(backbone.input_bn)
        self.register_buffer("scale", norm.scale.float().view(V, 1, C))
        self.register_buffer("shift", norm.shift.float().view(V, 1, C))
        blocks = (FusedSTGCNPPBlock(block) for block in backbone.blocks)
        self.blocks = nn.ModuleList(blocks).to(dtype)
        self.pooling = pooling
        self._means: dict[int, Tensor] = {}  # T' -> (L, T'*V)
        self._free: list[Workspace] = []  # one for each thread that was here at the same time

    @torch.no_grad()
    def forward(self, x: Tensor) -> Tensor:
        """(R, T, V, C) sequences -> (R, L, d) tokens."""
        least = -(-_SHARE // x.shape[1])
        return torch.cat(in_shares(self._alone, x, least))

    def _alone(self, x: Tensor) -> Tensor:
        """On this thread."""
        try:
            work = self._free.pop()
        except IndexError:
            work = Workspace(self.dtype)
        parts = x.split(max(1, _TOGETHER // x.shape[1]))
        tokens = torch.cat([self._tokens(part, work) for part in parts])
        self._free.append(work)
        return tokens

    def _tokens(self, x: Tensor, work: Workspace) -> Tensor:
        count, frames = x.shape[:2]
        hidden = work.take("input", frames, V, count, C)
        hidden.copy_(torch.addcmul(self.shift, x.permute(1, 2, 0, 3), self.scale))
        names = ["output 0", "output 1"]
        for block in self.blocks:
            if not block.shortcut.identity:
                names.reverse()
            hidden = block(hidden, work, names[0])
        return self._pool(hidden)

    def _pool(self, x: Tensor) -> Tensor:
        """Every token is a mean over some frames and joints, so all of them are one product:
        (T', V, R, d) -> (R, L, d)."""
        frames, joints, count, width = x.shape
        if frames not in self._means:
            with torch.inference_mode(False):  # so that it may be kept
                places = torch.eye(frames * joints).view(1, -1, frames, joints)
                self._means[frames] = self.pooling(places)[0].to(self.dtype)
        means = self._means[frames]
        pooled = (means @ x.view(frames * joints, -1)).float()
        return pooled.view(-1, count, width).transpose(0, 1)


class Stage1ByCount(nn.Module):
    """Stage 1 in float32 for few frames, as of the newest sequences live, in bfloat16 for many."""

    def __init__(self, backbone: Backbone, pooling: MixPooling) -> None:
        super().__init__()
        self.few = FusedStage1(backbone, pooling)
        self.many = FusedStage1(backbone, pooling, torch.bfloat16)

    def forward(self, x: Tensor) -> Tensor:
        """See `FusedStage1.forward`."""
        return (self.few if x.shape[0] * x.shape[1] < _FEW else self.many)(x)


class _Pooled(nn.Identity):
    """In the place of the pooling, which stage 1 has done."""

    def __init__(self, pooling: MixPooling) -> None:
        super().__init__()
        self.length = pooling.length


class FusedSkeleTR(SkeleTR):
    """`SkeleTR` with both stages restructured. A snapshot of the weights; nothing to train."""

    def __init__(self, model: SkeleTR, dtype: torch.dtype = torch.float32) -> None:
        nn.Module.__init__(self)
        self.config = model.config
        if dtype == torch.bfloat16:
            self.backbone = Stage1ByCount(model.backbone, model.pooling)
        else:
            self.backbone = FusedStage1(model.backbone, model.pooling)
        self.pooling = _Pooled(model.pooling)
        self.embedding, self.norm, self.encoder = model.embedding, model.norm, model.encoder
        if model.config.interaction == "transformer":
            self.encoder = FusedTransformer(model.encoder, dtype)
        self.instance_head, self.scene_head = model.instance_head, model.scene_head
        self.eval()

    def forward(self, batch: SequenceBatch, need_attention: bool = False) -> SkeleTROutput:
        """See `SkeleTR.forward`; without padding nothing has to be picked out and put back."""
        if not batch.mask.all():
            return super().forward(batch, need_attention)
        tokens = self.tokens(batch.x.flatten(0, 1)).unflatten(0, batch.mask.shape)
        return self.relate(tokens, batch.embedding, batch.mask, need_attention)

    def instances(self, tokens: Tensor, embedding: Tensor, asked: Tensor) -> Tensor:
        """Instance logits (m, K) of some sequences of one scene, without anything else.

        The last layer computes nothing for the other sequences but what these look at.

        Args:
            tokens: (M, L, d). embedding: (M, 5). asked: (m,) int64, which of the M.

        Raises:
            ValueError: the network has no instance head, or its sequences do not attend.
        """
        if self.instance_head is None or not isinstance(self.encoder, FusedTransformer):
            raise ValueError("expected a Transformer and an instance head, this network lacks one")
        embedding = torch.nan_to_num(embedding, nan=0.0, posinf=0.0, neginf=0.0)
        tokens = self.norm(tokens + self.embedding(embedding)[:, None])
        return self.instance_head(self.encoder.some(tokens, asked))


def for_inference(model: SkeleTR, dtype: torch.dtype = torch.float32) -> SkeleTR:
    """The form of a network that is fastest to ask, which is the network itself where no other
    is known: on a GPU, with other blocks than ST-GCN++, or in another engine.

    Args:
        dtype: what its products are worked out in, see `skeletr.devices.dtype_of`.
    """
    known = isinstance(model, SkeleTR) and not isinstance(model, FusedSkeleTR)
    if not known or model.training or model.config.backbone.kind != "stgcn++":
        return model
    if next(model.parameters()).device.type != "cpu":
        return model
    return FusedSkeleTR(model, dtype)
