"""SGD with momentum and decay on bf16 by torch's CPU kernels, on 61 elements: a block of 32 and 29 left over."""
import json, struct, sys, torch
torch.set_num_threads(1)
n, lr, wd = 61, 0.01, 0.1
for impl, momentum in (("for-loop", 0.875), ("foreach", 0.9)):
    random = torch.Generator().manual_seed(191763)
    draw = lambda: (torch.randn(n, generator=random) * 0.1).bfloat16()
    p = torch.nn.Parameter(draw())
    optimizer = torch.optim.SGD([p], lr=lr, momentum=momentum, weight_decay=wd, foreach=impl == "foreach")
    tensors = {"p.0": p.detach().clone()}
    for t in range(1, 11):
        p.grad = draw()
        tensors[f"g.{t}"] = p.grad.clone()
        optimizer.step()
        tensors[f"p.{t}"] = p.detach().clone()
        tensors[f"m.{t}"] = optimizer.state[p]["momentum_buffer"].clone()
    header = {"__metadata__": {"torch": "1.13.1", "device": "cpu", "impl": impl, "lr": str(lr),
                               "momentum": str(momentum), "weight_decay": str(wd)}}
    data = b""
    for name, tensor in tensors.items():
        raw = tensor.contiguous().view(torch.int16).numpy().tobytes()
        header[name] = {"dtype": "BF16", "shape": [n], "data_offsets": [len(data), len(data) + len(raw)]}
        data += raw
    text = json.dumps(header).encode()
    text += b" " * (-len(text) % 8)
    with open(f"{sys.argv[1]}/sgd-bf16-cpu-{impl}.safetensors", "wb") as file:
        file.write(struct.pack("<Q", len(text)) + text + data)
